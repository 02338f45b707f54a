"""Colours: what a file says that its numbers mean, and the same picture in sRGB, opaque, on 8 bits.

The command that makes reduced copies and the service that makes previews show colours by the same rules, whichever way
a file names them. Works on pixels that Pillow has decoded.
"""
