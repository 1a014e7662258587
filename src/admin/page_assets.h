/* The files of page/ that are shown by themselves; the build makes them (page_compile.py). */
#pragma once

#include "admin/page_template.h"

extern const struct page_template asset_overview_html, asset_domain_html,
    asset_finding_domains_html, asset_search_html, asset_refusal_html, asset_page_css,
    asset_page_js, asset_icon_svg;
