// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/units.h"

#include <QImage>
#include <QWidget>

#include <cstddef>
#include <vector>

namespace ui {

/// What a survival chart shows. A value.
struct SurvivalContent
{
    std::vector<double> survival; ///< share that lives beyond each age, in buckets
    std::size_t matureAge = 0;    ///< from this age on a block counts as old
    model::Duration bucket;
};

/// Of blocks born together, how many live on: the share that is left, by age.
class SurvivalChart : public QWidget
{
    Q_OBJECT

public:
    explicit SurvivalChart(QWidget *parent = nullptr);

    void setContent(const SurvivalContent &content);

    QSize sizeHint() const override { return {320, 170}; }
    /// The chart on the card's background, twice its size on screen.
    QImage picture();

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    SurvivalContent m_content;
};

} // namespace ui
