from __future__ import annotations

import pytest

from doctor.errors import SourceError
from doctor.system.source import SourceCode

MODELS = """
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Run(Base):
    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(String, primary_key=True)
"""


@pytest.mark.parametrize("by_import", [False, True])
def test_models_are_read_once_from_source_or_by_import(tmp_path, by_import):
    path = tmp_path / "models.py"
    path.write_text(MODELS)
    code = SourceCode(path, by_import=by_import)
    first = code.models()
    assert [(table.name, table.columns[0].name) for table in first.tables] == [("runs", "id")]
    path.unlink()
    assert code.models() is first


def test_models_that_were_broken_are_read_again_when_they_are_mended(tmp_path):
    path = tmp_path / "models.py"
    path.write_text("class (:")
    code = SourceCode(path)
    with pytest.raises(SourceError):
        code.models()
    path.write_text(MODELS)
    assert [table.name for table in code.models().tables] == ["runs"]
