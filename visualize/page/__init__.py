"""The report: everything that is known of a spec in one page that opens offline."""

from visualize.page.data import page_data
from visualize.page.document import page_html

__all__ = ["page_data", "page_html"]
