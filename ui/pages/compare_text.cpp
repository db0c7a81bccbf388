// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/difference_words.h"
#include "ui/pages/compare_page.h"
#include "ui/text.h"

#include <QButtonGroup>
#include <QCheckBox>
#include <QLabel>
#include <QStackedWidget>
#include <QTreeView>

namespace ui {

/// How sure the differences of a cost are, or what the colours of its flame graph mean.
QString ComparePage::detailsCaption(const model::Comparison &comparison) const
{
    const bool isFlame = m_views->checkedId() == FlameGraph;
    switch (comparison.certainty) {
    case model::Certainty::Exact:
        return isFlame ? tr("red: more, blue: less, grey: the same") : tr("counted, so each difference is exact");
    case model::Certainty::Estimated:
        return isFlame ? tr("red: more, blue: less, grey: within sampling error")
                       : tr("at a false discovery rate of 5 %");
    case model::Certainty::Unknown:
        break;
    }
    return (isFlame ? tr("grey: not judged, since %1") : tr("not judged, since %1"))
        .arg(text(model::whyNotJudged(comparison.kind)));
}

/// A table without rows says why it has none.
void ComparePage::sayNothing()
{
    const int view = m_views->checkedId();
    const QTreeView *table = view == Functions ? m_functionView : view == Stacks ? m_stackView : nullptr;
    const bool isNothing = m_compared && table && table->model()->rowCount() == 0;
    m_viewStack->setCurrentIndex(isNothing ? m_viewStack->indexOf(m_nothing) : view);
    if (!isNothing)
        return;
    const model::Comparison &comparison = m_compared->costs[m_cost].comparison;
    const QString what = view == Functions ? tr("function") : tr("stack");
    const QString found = m_selection.findText();
    const bool isFiltered = m_onlyDifferent->isChecked();
    m_nothing->setText(comparison.certainty == model::Certainty::Unknown && isFiltered
            ? tr("Whether a %1 differs is not judged, since %2. Uncheck “Only what differs” to see all with their "
                 "changes.")
                  .arg(what, text(model::whyNotJudged(comparison.kind)))
            : !found.isEmpty() ? tr("No %1 whose name contains “%2” differs.").arg(what, found)
            : comparison.certainty == model::Certainty::Estimated
            ? tr("No single %1 differs by more than sampling explains. Uncheck “Only what differs” to see all, or "
                 "record for longer, or with more samples a second.")
                  .arg(what)
            : tr("No %1 differs. Uncheck “Only what differs” to see all.").arg(what));
}

} // namespace ui
