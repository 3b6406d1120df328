"""Answers are loaded once, forgotten when they are old or when there is no room."""

from threading import Barrier, Thread

from zhuyi.ui.tensorboard.memory import Memory


class Counted:
    """A loading that counts how often it is done."""

    def __init__(self, value: bytes) -> None:
        self.value, self.times = value, 0

    def __call__(self) -> bytes:
        self.times += 1
        return self.value


def test_a_version_is_loaded_once_and_a_new_one_again() -> None:
    memory, load = Memory(100), Counted(b"12345")
    for version in (1, 1, 2, 2, 1):
        assert memory.get("a", version, load=load, size=len) == b"12345"
    assert load.times == 3
    assert memory.taken == 5


def test_what_was_not_asked_for_longest_goes_first() -> None:
    memory = Memory(10)
    loads = {name: Counted(name.encode() * 4) for name in "abc"}
    for name in "abacab":
        memory.get(name, 0, load=loads[name], size=len)
    # a, b held; a asked again; c drops b; a is still there; b has to be loaded again.
    assert {name: load.times for name, load in loads.items()} == {"a": 1, "b": 2, "c": 1}
    assert memory.taken == 8


def test_what_is_larger_than_the_room_is_handed_on_but_not_kept() -> None:
    memory, load = Memory(3), Counted(b"12345")
    assert memory.get("a", 0, load=load, size=len) == b"12345"
    assert memory.get("a", 0, load=load, size=len) == b"12345"
    assert (load.times, memory.taken) == (2, 0)


def test_peek_gives_the_outdated_value() -> None:
    memory = Memory(10)
    assert memory.peek("a") is None
    memory.get("a", 1, load=lambda: b"old", size=len)
    assert memory.peek("a") == b"old"


def test_a_failed_loading_is_tried_again() -> None:
    memory = Memory(10)

    def fail() -> bytes:
        raise OSError("gone")

    for _ in range(2):
        try:
            memory.get("a", 1, load=fail, size=len)
        except OSError:
            continue
        raise AssertionError("the error was swallowed")
    assert memory.get("a", 1, load=lambda: b"there", size=len) == b"there"


def test_many_threads_cause_one_loading() -> None:
    memory, load, start = Memory(10), Counted(b"x"), Barrier(8)
    found: list[bytes] = []

    def ask() -> None:
        start.wait()
        found.append(memory.get("a", 1, load=load, size=len))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (load.times, found) == (1, [b"x"] * 8)
