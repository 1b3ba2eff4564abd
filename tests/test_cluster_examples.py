"""The examples for schedulers and for a laptop: parsed, and their own command lines run."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("*.sh"))
POSTS = "Ana vive en Roma.\nHoy llueve.\nPedro trabaja en Lima.\n"
# options of sbatch(1)
SBATCH = "array cpus-per-task job-name mem output requeue time".split()
STUDY = """\
data: [{name: bonn, languages: [de, en], files: "{language}.conll"}]
systems:
  given: {steps: [{tag: {side: target, tagger: {given: {model: "{language}.conll"}}}}]}
scores: {resamples: 100}
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with posts, and the command on the path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    command = programs / "spanbridge"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m spanbridge "$@"\n', "utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "posts.txt").write_text(POSTS, "utf-8")
    return tmp_path


def run(*command, code=0, **environment):
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done


def check_result(log):
    """All posts are labelled, and the log ends with what became of them."""
    rows = [json.loads(line) for line in Path("posts.jsonl").read_text("utf-8").splitlines()]
    assert [row["target_text"] for row in rows] == POSTS.splitlines()
    assert {span["label"] for span in rows[0]["target_spans"]} == {"PER", "LOC"}
    lines = [json.loads(line) for line in Path(log).read_text("utf-8").splitlines()]
    assert lines[-1]["doing"] == "result"
    assert lines[-1]["account"]["rows"] == 3


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_shell(name):
    run("bash", "-n", str(EXAMPLES / name))


@pytest.mark.parametrize("name", [name for name in SCRIPTS if "slurm" in name])
def test_sbatch_reads_what_stands_before_the_first_command(name):
    lines = (EXAMPLES / name).read_text("utf-8").splitlines()
    head = lines[: next(n for n, line in enumerate(lines) if not line.startswith("#"))]
    asked = [line.removeprefix("#SBATCH --") for line in lines if line.startswith("#SBATCH")]
    assert len(asked) == sum(line.startswith("#SBATCH --") for line in head)
    for option in asked:
        key, _, value = option.partition("=")
        assert key in SBATCH
        assert bool(value) == (key != "requeue")


def task(n, of=2):
    return {
        "SLURM_ARRAY_TASK_ID": str(n),
        "SLURM_ARRAY_TASK_COUNT": str(of),
        "SLURM_CPUS_PER_TASK": "1",
    }


@pytest.mark.slow
def test_slurm(place):
    """A task that comes when all is done ends."""
    for n in (1, 2):
        run("bash", str(EXAMPLES / "slurm.sh"), "posts.txt", "posts.jsonl", **task(n))
        check_result(f"posts.jsonl.{n}.log.jsonl")


@pytest.mark.slow
def test_slurm_study(place):
    for language, word in (("de", "Bonn"), ("en", "Rome")):
        Path(f"{language}.conll").write_text(f"{word}\tB-LOC\ncalls\tO\n\n", "utf-8")
    Path("study.yaml").write_text(STUDY, "utf-8")
    for n in (1, 2):
        run("bash", str(EXAMPLES / "slurm-study.sh"), "study.yaml", **task(n))
    run("spanbridge", "study", "study.yaml")
    [results] = Path().glob("**/results.jsonl")
    assert len(results.read_text("utf-8").splitlines()) == 2


@pytest.mark.slow
def test_kubernetes(place):
    """Two pods, one after the other, with the folder in place of the volume."""
    job = yaml.safe_load((EXAMPLES / "kubernetes.yaml").read_text("utf-8"))
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    assert spec["completionMode"] == "Indexed"
    assert spec["completions"] >= spec["parallelism"] > 1
    # a rule on exit codes is taken only with it
    assert pod["restartPolicy"] == "Never"
    [container] = pod["containers"]
    first, second = spec["podFailurePolicy"]["rules"]
    assert first["onExitCodes"]["containerName"] == container["name"]
    assert second["action"] == "Ignore"
    [mount], [volume] = container["volumeMounts"], pod["volumes"]
    assert mount["name"] == volume["name"]
    assert container["workingDir"] == mount["mountPath"]
    workers = re.search(r"--workers (\d+)", container["args"][0])[1]
    assert workers == container["resources"]["requests"]["cpu"]
    for n in (0, 1):
        run(*container["command"], *container["args"], JOB_COMPLETION_INDEX=str(n))
        check_result(f"posts.{n}.log.jsonl")
    # a wrong request ends with the code that fails the job
    args = container["args"][0].replace("posts.txt", "none.txt")
    run(*container["command"], args, code=first["onExitCodes"]["values"][0])


@pytest.mark.slow
def test_skypilot(place):
    """One machine, with a folder in place of the bucket."""
    job = yaml.safe_load((EXAMPLES / "skypilot.yaml").read_text("utf-8"))
    assert set(job) == {"name", "num_nodes", "workdir", "resources", "setup", "run"}
    assert set(job["resources"]) == {"cpus", "memory", "use_spot"}
    extras = tomllib.loads((EXAMPLES.parent / "pyproject.toml").read_text("utf-8"))["project"]
    assert re.search(r"\.\[(\w+)\]", job["setup"])[1] in extras["optional-dependencies"]
    command = job["run"].replace("s3://my-bucket", str(place)).replace("$(nproc)", "1")
    done = run("bash", "-c", command)
    Path("log.jsonl").write_text(done.stdout, "utf-8")
    check_result("log.jsonl")
    assert (place / "posts.work").is_dir()


@pytest.mark.slow
def test_overnight(place):
    run(
        "bash", str(EXAMPLES / "overnight.sh"), "posts.txt", "posts.jsonl", PAUSE="0.2", WORKERS="1"
    )
    check_result("posts.jsonl.log.jsonl")


@pytest.fixture
def supplies(place):
    """A folder as /sys/class/power_supply is; ``supplies(True)`` plugs the laptop in."""
    for name, kind in (("BAT0", "Battery"), ("AC", "Mains")):
        (place / "power" / name).mkdir(parents=True)
        (place / "power" / name / "type").write_text(f"{kind}\n")

    def plug(into):
        (place / "power" / "AC" / "online").write_text("1\n" if into else "0\n")

    return plug


def overnight(place, **environment):
    script = str(EXAMPLES / "overnight.sh")
    power = {"SUPPLIES": str(place / "power"), "PAUSE": "0.1", **environment}
    return subprocess.Popen(
        ["bash", script, "posts.txt", "posts.jsonl"],
        env={**os.environ, **power},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_on_mains_only(place, supplies):
    """The run is stopped when the laptop is unplugged, and begun again when it is plugged in."""
    supplies(False)
    mains = shlex.quote(str(place / "power" / "AC" / "online"))
    # the first time it works until it is killed, with a process that it has started
    (place / "bin" / "spanbridge").write_text(
        "#!/bin/sh\n"
        'echo "$(nice) $@"\n'
        "[ -e begun ] && exit 0\n"
        'trap "echo stopped; exit 143" TERM\n'
        f"touch begun; echo 0 > {mains}\n"
        "sleep 60 & wait\n",
        "utf-8",
    )
    script = overnight(place, WORKERS="3")
    try:
        supplies(True)
        assert script.stdout.readline().startswith("19 label posts.txt -o posts.jsonl ")
        assert script.stdout.readline() == "stopped\n"
        supplies(True)
        again = script.stdout.readline()
        assert again.startswith("19 label posts.txt -o posts.jsonl ")
        assert "--workers 3" in again
        assert script.wait(60) == 0
    finally:
        script.kill()
        script.wait()
        script.stdout.close()


def test_what_fails_is_not_tried_for_ever(place, supplies):
    supplies(True)
    program = place / "bin" / "spanbridge"
    for code, times in ((2, 1), (1, 5)):
        program.write_text(f"#!/bin/sh\necho tried\nexit {code}\n", "utf-8")
        with overnight(place) as script:
            assert script.stdout.read() == "tried\n" * times
        assert script.returncode == code
