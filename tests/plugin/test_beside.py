"""Another plugin with the names of our options, loaded before ours (`-p`) or after it (`PYTEST_PLUGINS`)."""

from __future__ import annotations

import pytest

HEADER = "llmmock: another plugin (*) has *--llm-record too; both hear it, in the words of pytest-llmmock.*"

LIKE_MOCKLLM = """
    import pytest

    def pytest_addoption(parser):
        group = parser.getgroup("rival")
        group.addoption("--llm-record", nargs="?", const="all", default="none", choices=("none", "once", "all"))
        group.addoption("--llm-cassette-dir", default=None)
        group.addoption("--llm-strict", action="store_true")
        parser.addini("llm_cassette_dir", "where", default="rivals")

    @pytest.fixture
    def theirs(request):
        config = request.config
        assert config.getoption("llm_record") == config.getoption("--llm-record")
        folder = config.getoption("--llm-cassette-dir") or config.getini("llm_cassette_dir")
        return config.getoption("--llm-record"), folder
"""

TEST = """
    def test_it(llm_mock, theirs, request):
        folder = llm_mock.cassette.path.relative_to(request.config.rootpath).parts[0]
        print("OURS", llm_mock._deck.settings.mode, folder)
        print("THEIRS", *theirs)
"""

both_orders = pytest.mark.parametrize("order", ["before ours", "after ours"])


@pytest.fixture
def run(project, monkeypatch):
    """Runs the project's tests beside a plugin that is loaded before or after ours."""

    def run(order: str, *arguments: str, plugin: str = LIKE_MOCKLLM, test: str = TEST) -> pytest.RunResult:
        project.makepyfile(rival=plugin, test_app=test)
        project.syspathinsert()
        if order == "after ours":
            monkeypatch.setenv("PYTEST_PLUGINS", "rival")
        else:
            arguments = ("-p", "rival", *arguments)
        return project.runpytest_inprocess("-s", "-p", "no:cacheprovider", *arguments)

    return run


@both_orders
@pytest.mark.parametrize(
    ("arguments", "ours", "theirs"),
    [
        ([], "none cassettes", "none rivals"),
        (["--llm-record"], "new_episodes cassettes", "new_episodes rivals"),
        (["--llm-record", "test_app.py"], "new_episodes cassettes", "new_episodes rivals"),
        (["--llm-record=once"], "once cassettes", "once rivals"),
        (["--llm-cassette-dir", "here"], "none here", "none here"),
        (["-o", "llm_cassette_dir=there"], "none there", "none there"),
    ],
    ids=lambda value: " ".join(value) or "nothing" if isinstance(value, list) else "",
)
def test_pytest_starts_and_both_plugins_hear_the_option(run, order, arguments, ours, theirs):
    result = run(order, *arguments)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([HEADER, f"*OURS {ours}", f"THEIRS {theirs}"])


@both_orders
def test_a_mode_that_we_do_not_have_is_refused_in_our_words(run, order):
    result = run(order, "--llm-record=sometimes")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("ERROR: --llm-record=sometimes: there is no such mode. Modes are: none, once, *")


@both_orders
def test_the_other_plugins_default_is_nothing_that_the_user_said(run, order, monkeypatch):
    monkeypatch.setenv("LLMMOCK_RECORD", "once")
    monkeypatch.setenv("LLMMOCK_CASSETTE_DIR", "mine")
    run(order).stdout.fnmatch_lines(["*OURS once mine", "THEIRS none rivals"])


@both_orders
def test_the_line_names_what_is_shared_and_how_to_leave_one_out(run, order):
    result = run(order)
    result.stdout.fnmatch_lines(
        "llmmock: another plugin (rival) has --llm-cassette-dir and --llm-record too; both hear it,"
        " in the words of pytest-llmmock. To leave one out: -p no:llmmock or -p no:rival"
    )


@both_orders
def test_an_option_of_another_kind_keeps_its_other_names_and_its_own_place(run, order):
    plugin = """
        import pytest

        def pytest_addoption(parser):
            parser.addoption("--llm-record", "--rec", action="store_true", dest="recording")

        @pytest.fixture
        def theirs(request):
            return request.config.getoption("recording"), request.config.getoption("--rec")
    """
    run(order, plugin=plugin).stdout.fnmatch_lines([HEADER, "*OURS none *", "THEIRS False False"])
    run(order, "--rec", plugin=plugin).stdout.fnmatch_lines(["*OURS none *", "THEIRS True True"])
    run(order, "--llm-record", plugin=plugin).stdout.fnmatch_lines(["*OURS new_episodes *", "THEIRS new_episodes *"])


def test_alone_nothing_is_said(project):
    project.makepyfile("def test_it(llm_mock): pass")
    project.runpytest_inprocess("-p", "no:cacheprovider").stdout.no_fnmatch_line("*another plugin*")


def test_the_other_plugin_has_its_option_back_when_ours_is_left_out(run):
    test = "def test_it(theirs): print('THEIRS', *theirs)"
    result = run("before ours", "-p", "no:llmmock", "--llm-record", "once", test=test)
    result.stdout.fnmatch_lines("*THEIRS once rivals")


@both_orders
def test_options_that_are_not_ours_still_clash(run, order):
    plugin = """
        def pytest_addoption(parser):
            parser.addoption("--same-name", dest="one")
            parser.getgroup("other").addoption("--same-name", dest="other")
    """
    result = run(order, plugin=plugin)
    assert result.ret != 0
    assert "--same-name: conflicting option string" in result.stdout.str() + result.stderr.str()
