// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/summary.h"
#include "ui/theme.h"
#include "ui/widgets/card.h"

class QPushButton;

namespace ui {

class CaptionedRow;
class SparkLine;
class StateDot;

/// An answer of the overview: state, number, sentence, the line behind it, and the way to its evidence.
class SummaryCardView : public Card
{
    Q_OBJECT

public:
    explicit SummaryCardView(QWidget *parent = nullptr);

    /// `range` is the whole recording.
    void setCard(const model::SummaryCard &card, model::TimeRange range);

Q_SIGNALS:
    void evidenceWanted(model::CardPage page, std::optional<model::CostKind> cost);
    /// Comes before evidenceWanted() where the evidence is the forecast of a quantity.
    void forecastWanted(const model::SeriesSource &quantity);

private:
    void setUpNumber();
    void setUpRest();

    model::CardPage m_page = model::CardPage::Heap;
    std::optional<model::CostKind> m_cost;
    std::optional<model::SeriesSource> m_quantity; ///< whose forecast the card is about
    StateDot *m_dot = nullptr;
    QLabel *m_name = nullptr;
    QLabel *m_number = nullptr;
    CaptionedRow *m_numberLine = nullptr;
    QLabel *m_sentence = nullptr;
    SparkLine *m_spark = nullptr;
    QPushButton *m_link = nullptr;
};

/// The token that a card's state is shown in.
Token stateToken(model::CardState state);

} // namespace ui
