"""Why a file could not be imported."""

from __future__ import annotations


class ImportRefused(Exception):
    """Carries the file, as the user named it, and what is wrong in it."""

    def __init__(self, file: str, message: str) -> None:
        super().__init__(f"{file}: {message}")
        self.file, self.message = file, message
