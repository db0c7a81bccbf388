// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

namespace model {

/// resources/report/report.css and report.js, which a report carries within itself.
extern const std::string_view kReportStyle;
extern const std::string_view kReportScript;

} // namespace model
