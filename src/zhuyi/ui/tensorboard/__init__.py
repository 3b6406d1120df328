"""TensorBoard: a sink that writes event files, and the plug-in whose tab shows them.

tensorboard is needed (extra `tensorboard`), TensorFlow is not. Nothing here is imported by
`import zhuyi`.
"""
