"""Figures for papers, by matplotlib, which is imported when one is asked for."""

from zhuyi.ui.notebook.choosing import Choice

from .plotting import plot_attribution, plot_report, plot_tape, save_figure

__all__ = ["Choice", "plot_attribution", "plot_report", "plot_tape", "save_figure"]
