// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractButton>
#include <QFrame>

class QButtonGroup;
class QVBoxLayout;

namespace ui {

/// An entry of the page list: icon, word, and a number that asks for attention.
class PageButton : public QAbstractButton
{
    Q_OBJECT

public:
    PageButton(const QString &iconName, const QString &title, QWidget *parent = nullptr);

    /// 0: none.
    void setBadge(int count);

    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;
    void enterEvent(QEnterEvent *event) override;
    void leaveEvent(QEvent *event) override;

private:
    QString m_iconName;
    int m_badge = 0;
};

/// The list of pages on the left. Up and down move through it.
class PageList : public QFrame
{
    Q_OBJECT

public:
    explicit PageList(QWidget *parent = nullptr);

    /// Adds an entry; its index is the number of entries before it.
    PageButton *addEntry(const QString &iconName, const QString &title);
    void addRule();
    void setCurrent(int index);
    int current() const;

Q_SIGNALS:
    void chosen(int index);

private:
    QVBoxLayout *m_layout;
    QButtonGroup *m_buttons;
    int m_count = 0;
};

} // namespace ui
