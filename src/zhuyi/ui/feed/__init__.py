"""A personal feed in the browser of this machine: `zhuyi serve --feed FOLDER`."""
