"""Content checks: what the bytes of a picture say about themselves, read as they pass, without decoding a pixel.

A picture is taken in only if its type is known from its content, its sides are within the limits and its structure
is whole from the first byte to its end mark. Names and announcements are not believed. What a decoder alone can see,
such as pixels that make no sense, is left to the service that decodes.
"""
