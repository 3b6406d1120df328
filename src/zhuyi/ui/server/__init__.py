"""The local page: an archive behind a guarded server that only this machine can reach.

    running.py   the socket, the stop, the browser
    patience.py  slow clients are cut
    guard.py     before every address: lets through what is in order, and no answer without headers
    checks.py    what a request must look like; limits.py, how large and how slow it may be
    door.py      links that work once, and the cookie that one gets for them
    site.py      the addresses; more of them (with a model behind) are more routes
    shelf.py     an archive, asked by one at a time and only for what its index names
    logdir.py    a folder of runs as an archive

Starlette and uvicorn (extra `serve`) are imported when a page is served, not before.
"""
