"""Watch attention while a model trains: a fixed probe, looked at on a schedule, at small cost."""

from zhuyi.ui.live.folder import FolderSink
from zhuyi.ui.live.folder_archive import FolderArchive
from zhuyi.ui.live.folder_page import page_of_folder
from zhuyi.ui.live.logger import AttentionLogger
from zhuyi.ui.live.loggers import LogSink, MlflowSink
from zhuyi.ui.live.opening import open_sinks
from zhuyi.ui.live.probe import Probe
from zhuyi.ui.live.recording import Recorder
from zhuyi.ui.live.sinks import Rgb, Sink

__all__ = [
    "AttentionLogger",
    "FolderArchive",
    "FolderSink",
    "LogSink",
    "MlflowSink",
    "Probe",
    "Recorder",
    "Rgb",
    "Sink",
    "open_sinks",
    "page_of_folder",
]
