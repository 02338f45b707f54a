"""Picture files: what their bytes say about themselves, read without decoding a pixel.

The service that takes pictures in, the one that decodes them and the command that sends them read EXIF and walk JPEG
by the same rules. Pure parsing: this package knows no service and no contract, and every file may be an attack. What
the numbers of decoded pixels mean is worked out by `colours`.
"""
