"""The page to try rules on a model: `zhuyi serve MODEL`.

opening.py   from what a person names to a desk
desk.py      what the page can do with one model; one kind of model a file:
             transformer_desk.py, notes_desk.py, text_desk.py, table_desk.py, series_desk.py
examples.py  records and texts of a person's file
asking.py    requests as records, strictly
ruling.py    rules between the wire and `zhuyi.steer`; what a stranger may not name
places.py    which pieces a rule means, and which rule means just one piece
bench.py     inputs decided under rules, with what was found already
trying.py    before and after, and what each rule does
controlling.py  the same rules on random other places
judging.py   whether the explanation may be believed, and what a veto may claim
routes.py    the addresses; the server around them is `zhuyi.ui.server`
"""
