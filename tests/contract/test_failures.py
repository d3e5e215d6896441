"""Exit codes are a contract with every caller: a changed number is a broken caller."""

from contract.failures import BUG, BY_EXIT_CODE, FAILURES, BadConfig


def test_exit_codes_are_these():
    codes = {failure.__name__: failure.exit_code for failure in FAILURES}
    assert codes == {
        "BadConfig": 10,
        "BadInput": 11,
        "EmptyResult": 12,
        "RemoteTrouble": 13,
        "BudgetReached": 14,
        "DamagedData": 15,
    }
    assert {code: BY_EXIT_CODE[code].__name__ for code in BY_EXIT_CODE} == {code: name for name, code in codes.items()}
    assert BUG == 1


def test_a_message_says_what_was_found_what_was_expected_where_and_what_to_try():
    failure = BadConfig("`pairs` is 0", expected="1 to 50", where="demo.yaml", hint="leave it out")
    assert str(failure) == "`pairs` is 0; expected 1 to 50; in demo.yaml. Try: leave it out"
    assert str(BadConfig("only this")) == "only this"
