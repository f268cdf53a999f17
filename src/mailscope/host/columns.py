"""Rows of text in columns, a block at a time: what printf does for each row, done for all rows at once.

Every cell gets its longest width in a matrix of bytes; what printf would not write is a zero byte there, and
zero bytes are taken out at the end.  No text of C holds a zero byte, so nothing else is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mailscope.host.clock import Texts

_SPACE: Final = 32
_TRAILING: Final = re.compile(rb" +\n")


@dataclass(frozen=True)
class Column:
    """One column: its texts, at least ``width`` wide and at most ``most`` (None: as they are)."""

    texts: Texts
    width: int = 0
    most: int | None = None
    right: bool = False


def rows(columns: Sequence[Column | bytes], count: int, *, trim: bool = False) -> bytes:
    """The rows, each with its line feed.  ``trim``: without the spaces at their ends."""
    parts = [_cells(column, count) for column in columns]
    parts.append(np.full((count, 1), 10, dtype=np.uint8))
    text = np.concatenate(parts, axis=1).tobytes().translate(None, b"\0")
    return _TRAILING.sub(b"\n", text) if trim and b" \n" in text else text


def c_texts(field: npt.NDArray[np.bytes_], most: int | None = None) -> Texts:
    """The texts of a record's field, which end before their first zero byte; of each, ``most`` bytes."""
    width = field.dtype.itemsize
    size = width if most is None else min(width, most)
    # Cut before it is copied: records are long.
    matrix = np.ascontiguousarray(field.astype(f"S{size}") if size < width else field).view(np.uint8)
    matrix = matrix.reshape(len(field), size)
    empty = matrix == 0
    if (empty[:, :-1] & ~empty[:, 1:]).any():  # what stood there before was not wiped out
        matrix = matrix.copy()
        matrix[np.logical_or.accumulate(empty, axis=1)] = 0
    return matrix.reshape(-1).view(f"S{matrix.shape[1]}")


def _cells(column: Column | bytes, count: int) -> npt.NDArray[np.uint8]:
    if isinstance(column, bytes):
        return np.broadcast_to(np.frombuffer(column, dtype=np.uint8), (count, len(column)))
    texts = np.ascontiguousarray(column.texts)
    size = texts.dtype.itemsize
    longest = size if column.most is None else min(size, column.most)
    matrix = texts.view(np.uint8).reshape(count, size)[:, :longest]
    wide = max(longest, column.width)
    cells = np.zeros((count, wide), dtype=np.uint8)
    if column.right:
        lengths = (matrix != 0).sum(axis=1)
        places = np.arange(wide)[None, :] - (wide - np.maximum(lengths, 0))[:, None]
        cells[:] = np.where(
            places >= 0,
            np.take_along_axis(np.pad(matrix, ((0, 0), (0, 1))), np.clip(places, 0, longest), axis=1),
            0,
        )
        cells[:, wide - column.width :][cells[:, wide - column.width :] == 0] = _SPACE
        return cells
    cells[:, :longest] = matrix
    padding = cells[:, : column.width]
    padding[padding == 0] = _SPACE
    return cells
