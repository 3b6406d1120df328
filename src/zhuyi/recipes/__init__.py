"""The application areas on real data: loaders that check what they load, honest splits, baselines.

Nothing here is imported by `import zhuyi`. The loaders need pandas, the baselines scikit-learn and
a download pooch: `pip install 'zhuyi[recipes]'`.
"""
