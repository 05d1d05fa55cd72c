"""A misspelt option, command or value: the near match, or how to see all."""

import pytest

from hrixs.cli.main import main


def said(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as error:
        main(words.split())
    assert error.value.code == 2  # as of argparse
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("process 145 -o a.nc --std-treshold 3", "--std-threshold"),
        ("process 145 -o a.nc --std-treshold=3", "--std-threshold"),
        # as the class' setting
        ("process 145 -o a.nc --STD_THRESHOLD 3", "--std-threshold"),
        ("process 145 -o a.nc --std_threshold 3", "--std-threshold"),
        ("process 145 -o a.nc --energy-intercpt -3.5", "--energy-intercept"),
        ("process 145 -o a.nc --no_progres", "--no-progress"),
        # also where what is required is misspelt, or has one dash
        ("process 145 --outptu a.nc", "--output"),
        ("process 145 -output a.nc", "--output"),
        ("watch tcp://host:1 --windw 3", "--window"),
        ("watch tcp://host:1 --curve_a 3", "--curve-a"),
        ("demo --frams 3", "--frames"),
        ("--vrsion", "--version"),
    ],
)
def test_a_misspelt_option_is_told_with_the_near_one(words, meant, capsys):
    told = said(words, capsys)
    assert told.splitlines()[0].endswith(f", did you mean {meant}?")
    assert "usage" not in told  # of a page


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("process 145 -o a.nc --frobnicate", "hrixs process"),
        ("process 145 -o a.nc --no-plot", "hrixs process"),  # and not --plot, which is the opposite
        ("process 145 -o a.nc -x", "hrixs process"),
        ("watch tcp://host:1 --frobnicate 7", "hrixs watch"),
        ("--frobnicate process", "hrixs"),
    ],
)
def test_an_option_that_is_near_to_none_tells_how_to_see_all(words, command, capsys):
    told = said(words, capsys)
    assert "unknown option -" in told
    assert "did you mean" not in told
    assert f"\n{command} --help lists all options." in told


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("proces 145 -o a.nc", "unknown command 'proces'. Did you mean 'process'?"),
        ("process 145 -o a.nc --method reslove", "Did you mean 'resolve'?"),
        ("process 145 -o a.nc --position GAUSS", "Did you mean 'gaussian'?"),
        ("process 145 -o a.nc --map m --map-axis energy-loss", "Did you mean 'energy_loss'?"),
        ("watch tcp://host:1 --socket SUBB", "Did you mean 'SUB'?"),
        ("--method best process 145", "belongs behind the command: hrixs process --method"),
    ],
)
def test_a_misspelt_command_or_value(words, meant, capsys):
    assert meant in said(words, capsys)


def test_what_is_known_is_not_asked_about(tmp_path, capsys):
    # The value behind -o at once, numbers with a sign, and all behind --.
    words = ["process", f"-o{tmp_path}/a.nc", "--curve-b", "-3e-7", "--", "--no-such-run"]
    assert main(words) == 1
    assert "--no-such-run" in capsys.readouterr().err


def test_a_command_tells_its_options(capsys):
    with pytest.raises(SystemExit) as error:
        main(["process", "--help"])
    assert error.value.code == 0
    assert "--std-threshold" in capsys.readouterr().out
