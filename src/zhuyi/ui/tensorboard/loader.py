"""The door through which TensorBoard finds the plug-in (entry point group `tensorboard_plugins`).

It stands by itself so that what the plug-in needs and cannot have leaves its tab out, and the rest
of TensorBoard as it is.
"""

import logging

from tensorboard.plugins import base_plugin


class Loader(base_plugin.TBLoader):  # type: ignore[misc]
    """Makes the plug-in, or says why there is none."""

    def load(self, context: base_plugin.TBContext) -> base_plugin.TBPlugin | None:
        """The plug-in for a TensorBoard; None, which leaves the tab out, where it cannot be had."""
        try:
            from zhuyi.ui.tensorboard.plugin import AttentionPlugin
        except ImportError as error:
            logging.getLogger(__name__).warning("zhuyi: no tab 'Attention' (%s)", error)
            return None
        return AttentionPlugin(context)
