"""One look as one offline page: pictures of heads, details, payload, and the page itself."""
