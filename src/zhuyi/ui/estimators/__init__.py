"""Estimators from the terminal: tables read, models fitted, asked and audited."""
