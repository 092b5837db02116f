"""The page that ``linnet web`` serves: listen, look, translate, and every model's card.

Only `page`, `theme` and `server` import Gradio, which comes with the extra ``demos``; what stands behind the
page can be used and tested without it.
"""
