"""Pictures without a library: one colour into a PNG, colours out of one."""

import collections
import struct
import zlib


def solid(colour, size):
    """A square of one colour, "#rrggbb"."""
    row = b"\0" + bytes.fromhex(colour[1:]) * size
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(row * size)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def colours(data):
    """"#rrggbb" -> how many pixels of a PNG have it."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    packed = b""
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack_from(">IIBB", body)
        elif kind == b"IDAT":
            packed += body
        at += length + 12
    assert depth == 8 and colour in (2, 6)
    step = 3 if colour == 2 else 4
    counts = collections.Counter()
    for row in _rows(zlib.decompress(packed), width * step, height, step):
        counts.update(
            f"#{row[i]:02x}{row[i + 1]:02x}{row[i + 2]:02x}" for i in range(0, len(row), step)
        )
    return counts


def _rows(raw, width, height, step):
    above = bytearray(width)
    for y in range(height):
        start = y * (width + 1)
        how = raw[start]
        row = bytearray(raw[start + 1 : start + 1 + width])
        for x in range(width):
            left = row[x - step] if x >= step else 0
            corner = above[x - step] if x >= step else 0
            up = above[x]
            if how == 1:
                row[x] = (row[x] + left) & 255
            elif how == 2:
                row[x] = (row[x] + up) & 255
            elif how == 3:
                row[x] = (row[x] + (left + up) // 2) & 255
            elif how == 4:
                near = left + up - corner
                best = min((abs(near - left), 0, left), (abs(near - up), 1, up),
                           (abs(near - corner), 2, corner))
                row[x] = (row[x] + best[2]) & 255
        yield row
        above = row
