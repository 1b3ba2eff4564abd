import pytest
from pipeline_samples import SOURCE, TARGET


@pytest.fixture
def write(tmp_path):
    """Writes a file into the test's folder; gives its path as text."""

    def write(name, content):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8", newline="\n")
        return str(path)

    return write


@pytest.fixture
def bitext(write):
    """Source, target and output path."""
    source, target = write("s.conll", SOURCE), write("t.txt", TARGET)
    return source, target, source.replace("s.conll", "out.conll")


@pytest.fixture
def files(tmp_path):
    """Names of the files in the test's folder but the inputs, hidden ones included."""
    inputs = {"s.conll", "t.txt", "in.jsonl", "links.pharaoh"}
    return lambda: sorted({path.name for path in tmp_path.iterdir()} - inputs)
