// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/compare/work.h"
#include "ui/widgets/card.h"

#include <array>
#include <vector>

class QComboBox;
class QLabel;
class QPushButton;

namespace ui {

class ElidedLabel;

/// Which two sessions are compared, before and after, and by what costs are divided.
class ComparedSides : public Card
{
    Q_OBJECT

public:
    explicit ComparedSides(QWidget *parent = nullptr);

    /// What stands on a side, before and after; null: it is on its way. `isHeld`: both are of one session.
    void setSides(const std::array<std::shared_ptr<const model::Snapshot>, 2> &sides, bool isHeld);
    /// What both can be divided by beside nothing and time; keeps the choice.
    void setPossible(const std::vector<model::Normalisation> &possible);
    void setNormalisation(const model::Normalisation &normalisation);
    /// Whether a part of the other session can be chosen, and whether what it is chosen in is shown.
    void setTimeShown(bool isPossible, bool isShown);
    const std::vector<model::Normalisation> &choices() const { return m_choices; }

Q_SIGNALS:
    void swapWanted();
    void timeToggled(bool isWanted); ///< a part of the other session is to be chosen
    void dropWanted();               ///< another session is to be chosen
    void normalisationChosen(const model::Normalisation &normalisation);

private:
    std::array<ElidedLabel *, 2> m_names{};
    QPushButton *m_swap = nullptr;
    QPushButton *m_other = nullptr;
    QPushButton *m_time = nullptr;
    QComboBox *m_per = nullptr;
    std::vector<model::Normalisation> m_choices;
};

} // namespace ui
