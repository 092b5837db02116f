"""That other packages' translations end as they are told to, and what is said where a package is missing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("translate_peers.py")


@pytest.mark.parametrize("package", ["joeynmt", "OpenNMT-py"])
def test_a_package_that_is_not_installed_is_one_sentence(package, tmp_path):
    (tmp_path / "sizes.json").write_text(json.dumps({}))
    command = (sys.executable, "-I", "-S", str(SCRIPT), "build", package, str(tmp_path))  # no packages at all
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{package} is not installed: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("put_away", [True, False])
def test_translations_end_where_they_are_to_end(put_away, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    from translate_peers import Lengths

    beam, end, wanted = 2, 3, {(7, 8): 1, (9,): 3, (5, 6): 1}
    lengths = Lengths(end)
    lengths.are(list(wanted), list(wanted.values()))
    lengths.begin(torch.tensor([[9, 0], [7, 8], [5, 6]]), padding=0)
    said, going = [0, 0, 0], [0, 1, 2]
    while going:
        rows = going if put_away else [0, 1, 2]
        scores = torch.rand(len(rows) * beam, 1, 5)
        lengths.force(scores)
        ends = scores.argmax(2).view(-1, beam) == end
        assert (ends.any(1) == ends.all(1)).all()
        going = [row for row, over in zip(rows, ends.all(1).tolist(), strict=True) if not over]
        for row in going:
            said[row] += 1
    assert said == [3, 1, 1]
