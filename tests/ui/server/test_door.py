"""Links that work once, and the cookie."""

import re

from zhuyi.ui.server.door import Door


def test_a_token_opens_once() -> None:
    door = Door(8000)
    token, other = door.new_token(), door.new_token()
    first = door.enter(token)
    assert first is not None
    assert door.enter(token) is None
    assert door.enter(other) == first, "all who are let in have the same cookie"
    assert door.enter("") is None
    assert door.enter("A" * 43) is None


def test_tokens_and_cookies_are_256_random_bits() -> None:
    doors = [Door(8000) for _ in range(50)]
    tokens = [door.new_token() for door in doors]
    cookies = [door.enter(token) for door, token in zip(doors, tokens, strict=True)]
    values = [str(cookie).partition(";")[0].partition("=")[2] for cookie in cookies]
    assert len({*tokens, *values}) == 100
    # 43 characters of 6 bits hold 256 bits.
    assert all(re.fullmatch("[A-Za-z0-9_-]{43}", one) for one in (*tokens, *values))


def test_the_cookie_is_for_this_server_and_no_script() -> None:
    door = Door(8123)
    cookie = door.enter(door.new_token())
    assert cookie is not None
    pair, *attributes = cookie.split("; ")
    assert pair.startswith("zhuyi-8123=")
    assert attributes == ["HttpOnly", "SameSite=Strict", "Path=/"]


def test_only_the_cookie_is_let_in() -> None:
    door = Door(8000)
    cookie = door.enter(door.new_token())
    assert cookie is not None
    pair = cookie.partition(";")[0]
    name, _, value = pair.partition("=")
    assert door.admits(pair)
    assert door.admits(f"a=b; {pair} ; c=d")
    # Another server of this machine can set a cookie of this name, and must not lock us out.
    assert door.admits(f"{name}=wrong; {pair}")
    for wrong in ("", name, value, f"{name}=", f"{name}={value[:-1]}", f"{name}={value}A",
                  f"zhuyi-8001={value}", f"x{pair}", f"a=b,{pair}", f"{name}==({value}",
                  Door(8000).enter("") or ""):  # fmt: skip
        assert not door.admits(wrong), wrong
