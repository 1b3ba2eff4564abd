"""Pipeline files that YAML itself makes dangerous or odd: an error with the line, in no time."""

import pytest

from spanbridge.core.errors import InputError
from spanbridge.core.settings_file import read_settings
from spanbridge.run.config import read_pipeline

STEPS = "\nsteps: [join]\n"


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("shard_rows: 2024-02-30" + STEPS, 1, "must be a whole number, not '2024-02-30'"),
        ("\nshard_rows: 0x_" + STEPS, 2, "must be a whole number, not '0x_'"),
        ("labels: !!bool x" + STEPS, 1, r"tags \(tag:yaml.org,2002:bool\) are not read"),
        ("output: !!timestamp 2024-02-30" + STEPS, 1, "tags"),
        ("output: !!python/object/apply:os.system [ls]", 1, "tags"),
        ("side: target\nshard_rows: " + "9" * 5000 + STEPS, 2, "a number that is too long"),
        ("shard_rows: 1e999999" + STEPS, 1, "must be a finite number"),
        ('output: "a\\0b"' + STEPS, 1, "holds a zero byte"),
        ("side: target\noutput: a\0b" + STEPS, 2, "is not YAML"),
        ('output: "\\ud800"' + STEPS, 1, "half a surrogate pair"),
        ('side: target\noutput: "\\UFFFFFFFF"' + STEPS, 2, "an escape of no character"),
        ("a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]", 2, "aliases"),
        ("a: " + "[" * 100_000, 1, "nested more than 20 levels deep"),
        ("steps: [" + "join, " * 20_000 + "]", 1, "more than 10000 values and names"),
        ("steps:\n\t- join", 2, "is not YAML"),
        (b"# caf\xe9", 1, "invalid UTF-8"),
        ("output: a.jsonl\noutput: b.jsonl" + STEPS, 2, "output is given twice"),
        ("? [a]\n: b", 1, "is not YAML"),
    ],
)
def test_line_and_reason(tmp_path, text, line, why):
    path = tmp_path / "p.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=why) as error:
        read_pipeline(str(path))
    assert (error.value.file, error.value.line) == (str(path), line)


def test_a_number_of_many_digits_in_a_text_is_text(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("output: '" + "9" * 400 + "'\n", "utf-8")
    assert read_settings(str(path))[0] == {"output": "9" * 400}


def test_a_file_that_is_no_pipeline_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("# x\n" * 300_000, "utf-8")
    with pytest.raises(InputError, match="more than 1000000 characters"):
        read_settings(str(path))


def test_a_path_that_is_too_long_is_no_file(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(f"input: {'a' * 5000}\noutput: {tmp_path}/o.conll" + STEPS, "utf-8")
    with pytest.raises(InputError, match="no such file"):
        read_pipeline(str(path)).job()
