// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/summary_card_view.h"

#include "ui/charts/spark_line.h"
#include "ui/text.h"
#include "ui/widgets/captioned_row.h"
#include "ui/widgets/labels.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

namespace ui {

Token stateToken(model::CardState state)
{
    switch (state) {
    case model::CardState::Danger:
        return Token::Danger;
    case model::CardState::Warn:
        return Token::Warn;
    case model::CardState::Ok:
        return Token::Ok;
    case model::CardState::Unknown:
        break;
    }
    return Token::InkMuted;
}

namespace {

Token seriesToken(const model::SeriesSource &source)
{
    if (const auto *metric = std::get_if<model::Metric>(&source))
        return *metric == model::Metric::CpuUser || *metric == model::Metric::CpuSystem ? Token::Cpu : Token::Memory;
    if (const auto *heap = std::get_if<model::HeapQuantity>(&source))
        return *heap == model::HeapQuantity::LiveBytes || *heap == model::HeapQuantity::LiveBlocks ? Token::Memory
                                                                                                   : Token::Wait;
    return Token::Cpu;
}

} // namespace

SummaryCardView::SummaryCardView(QWidget *parent)
    : Card({}, parent)
{
    body()->setSpacing(4);
    setUpNumber();
    setUpRest();
}

void SummaryCardView::setUpNumber()
{
    auto *nameLine = new QHBoxLayout;
    nameLine->setSpacing(6);
    m_dot = new StateDot(Token::Ok);
    m_name = newLabel({}, TextSize::Caption, TextWeight::Strong, "muted");
    nameLine->addWidget(m_dot);
    nameLine->addWidget(m_name, 1);
    m_number = newLabel({}, TextSize::Number, TextWeight::Strong);
    m_numberLine = new CaptionedRow(m_number, Qt::AlignBottom);
    m_numberLine->row()->setSpacing(6);
    body()->addLayout(nameLine);
    body()->addWidget(m_numberLine);
}

void SummaryCardView::setUpRest()
{
    m_sentence = newLabel({});
    m_sentence->setWordWrap(true);
    m_sentence->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    m_sentence->setMinimumHeight(m_sentence->fontMetrics().height() * 2);
    m_spark = new SparkLine;
    m_spark->setMaximumHeight(44);
    m_link = newLinkButton({});
    body()->addWidget(m_sentence);
    // Names and numbers of all cards of a row stand at one height: what is too much goes below the line.
    body()->addWidget(m_spark, 3);
    body()->addStretch(1);
    body()->addWidget(m_link);
    connect(m_link, &QPushButton::clicked, this, [this] {
        if (m_quantity)
            Q_EMIT forecastWanted(*m_quantity);
        Q_EMIT evidenceWanted(m_page, m_cost);
    });
}

void SummaryCardView::setCard(const model::SummaryCard &card, model::TimeRange range)
{
    m_page = card.page;
    m_cost = card.cost;
    m_quantity.reset();
    if (card.page == model::CardPage::Forecast && card.spark)
        m_quantity = card.spark->source;
    m_dot->setToken(stateToken(card.state));
    m_name->setText(text(card.title));
    m_number->setText(text(card.number));
    m_numberLine->setCaption(text(card.qualifier));
    m_sentence->setText(withWholeNumbers(firstSentences(
        text(card.sentence), card.page == model::CardPage::Losses ? tr("There is more: see “Capture”.") : QString())));
    m_sentence->setToolTip(text(card.sentence));
    m_link->setText(text(card.action));
    m_link->setAccessibleName(text(card.title + ": " + card.action));
    setAccessibleName(text(card.title + ": " + card.number + " " + card.qualifier + ". " + card.sentence));
    if (card.spark && !card.spark->isEmpty())
        m_spark->setSeries(*card.spark, range, {seriesToken(card.spark->source)});
    else
        m_spark->clear();
}

} // namespace ui
