"""Content checks: what the bytes of a picture say about themselves, read as they pass, without decoding a pixel.

A picture is taken in only if its type is known from its content, its sides are within the limits and its structure
leads to picture data. What is untidy and no viewer minds is passed over: bytes between the parts of a file or behind
them, a missing end mark, side information of a wrong checksum. Names and announcements are not believed. What a decoder
alone can see, such as rows that are not there, is left to the service that decodes.
"""
