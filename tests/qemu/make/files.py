# SPDX-License-Identifier: BSD-3-Clause
"""What is in a folder, as one number: whether something changed."""
import hashlib
from pathlib import Path


def below(folder):
    """Every file below @folder, as {relative path: path}, without what Python and editors leave behind."""
    folder = Path(folder)
    if folder.is_file():
        return {Path(folder.name): folder}
    return {path.relative_to(folder): path for path in sorted(folder.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")}


def digest(*folders):
    total = hashlib.sha256()
    for folder in folders:
        for name, path in below(folder).items():
            content = path.read_bytes()
            total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()
