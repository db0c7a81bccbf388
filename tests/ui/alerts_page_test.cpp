// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/dialogs/alert_rule_dialog.h"
#include "ui/pages/alerts_page.h"

#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>
#include <QTreeWidget>

#include <sstream>

using namespace Qt::StringLiterals;

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

model::AlertEvent alert(std::int64_t firedAt, std::optional<std::int64_t> endedAt)
{
    model::AlertEvent event;
    event.id = static_cast<std::uint32_t>(firedAt);
    event.rule = "memory grows " + std::to_string(firedAt);
    event.condition = "resident memory grows by 5 % within 1 h";
    event.began = {(firedAt - 1) * kSecondNs};
    event.fired = {firedAt * kSecondNs};
    if (endedAt)
        event.ended = model::Timestamp{*endedAt * kSecondNs};
    event.value = 6;
    event.worst = 9;
    event.unit = model::Unit::Percent;
    return event;
}

std::shared_ptr<const model::Snapshot> withAlerts(std::vector<model::AlertEvent> alerts, model::SessionState state)
{
    auto snapshot = std::make_shared<model::Snapshot>();
    snapshot->file = "/tmp/alerts.gprof-session";
    snapshot->info.state = state;
    snapshot->info.duration = {1000 * kSecondNs};
    snapshot->alerts = std::move(alerts);
    return snapshot;
}

QTreeWidget *tableOf(const QWidget &page, const QString &name)
{
    for (QTreeWidget *table : page.findChildren<QTreeWidget *>())
        if (table->accessibleName() == name)
            return table;
    return nullptr;
}

QPushButton *buttonOf(const QWidget &page, const QString &word)
{
    for (QPushButton *button : page.findChildren<QPushButton *>())
        if (button->text() == word)
            return button;
    return nullptr;
}

/// Rules that live in a variable.
model::AlertRuleAccess accessTo(model::AlertRuleFile &file, int &saved)
{
    model::AlertRuleAccess access;
    access.path = "/tmp/alerts.toml";
    access.load = [&file] { return model::Result<model::AlertRuleFile>(file); };
    access.check = [](const model::AlertRuleFile &) { return model::Result<void>(); };
    access.save = [&file, &saved](const model::AlertRuleFile &changed) {
        file = changed;
        ++saved;
        return model::Result<void>();
    };
    return access;
}

} // namespace

class AlertsPageTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void saysThatNoneFired()
    {
        ui::Selection selection;
        ui::AlertsPage page(selection);
        QSignalSpy counted(&page, &ui::AlertsPage::activeCounted);
        page.setSnapshot(withAlerts({}, model::SessionState::Complete));
        QVERIFY(tableOf(page, u"Alerts"_s)->parentWidget()->isHidden());
        QCOMPARE(counted.takeLast().first().toInt(), 0);
        QVERIFY(page.subtitle().isEmpty());
        page.setSnapshot(nullptr);
        QVERIFY(page.exports().empty());
    }

    void showsThoseThatGoOnFirstThenTheNewest()
    {
        ui::Selection selection;
        ui::AlertsPage page(selection);
        QSignalSpy counted(&page, &ui::AlertsPage::activeCounted);
        page.setSnapshot(withAlerts({alert(10, 20), alert(30, {}), alert(50, 60)}, model::SessionState::Recording));
        QTreeWidget *table = tableOf(page, u"Alerts"_s);
        QCOMPARE(table->topLevelItemCount(), 3);
        QCOMPARE(table->topLevelItem(0)->text(1), u"memory grows 30"_s);
        QCOMPARE(table->topLevelItem(0)->text(0), u"active"_s);
        QCOMPARE(table->topLevelItem(1)->text(1), u"memory grows 50"_s);
        QCOMPARE(table->topLevelItem(2)->text(4), u"10 s"_s);
        QCOMPARE(counted.takeLast().first().toInt(), 1);
        QVERIFY(page.subtitle().contains(u"3 fired"_s));
        // One that was going on when the recording ended is not said to be active.
        page.setSnapshot(withAlerts({alert(30, {})}, model::SessionState::Complete));
        QCOMPARE(table->topLevelItemCount(), 1);
        QCOMPARE(table->topLevelItem(0)->text(0), u"not over"_s);
        QCOMPARE(table->topLevelItem(0)->text(4), u"to the end"_s);
    }

    void keepsWhatIsSelectedAndScrolledToWhileMoreFire()
    {
        std::vector<model::AlertEvent> alerts;
        for (std::int64_t i = 1; i <= 60; ++i)
            alerts.push_back(alert(10 * i, 10 * i + 5));
        ui::Selection selection;
        ui::AlertsPage page(selection);
        page.resize(900, 500);
        page.show();
        page.setSnapshot(withAlerts(alerts, model::SessionState::Recording));
        QTreeWidget *table = tableOf(page, u"Alerts"_s);
        table->setCurrentItem(table->topLevelItem(30));
        table->scrollToItem(table->topLevelItem(28), QAbstractItemView::PositionAtTop);
        const QString selected = table->currentItem()->text(1);
        const QString top = table->itemAt(0, 0)->text(1);
        QVERIFY(top != table->topLevelItem(0)->text(1));
        alerts.push_back(alert(700, {}));
        alerts.push_back(alert(710, 720));
        page.setSnapshot(withAlerts(alerts, model::SessionState::Recording));
        QCOMPARE(table->topLevelItemCount(), 62);
        QCOMPARE(table->currentItem()->text(1), selected);
        QCOMPARE(table->itemAt(0, 0)->text(1), top);
        // At the top one sees what is new.
        table->scrollToTop();
        alerts.push_back(alert(800, {}));
        page.setSnapshot(withAlerts(alerts, model::SessionState::Recording));
        QCOMPARE(table->itemAt(0, 0)->text(1), u"memory grows 800"_s);
        QCOMPARE(table->currentItem()->text(1), selected);
    }

    void selectsTheTimeOfAnAlert()
    {
        ui::Selection selection;
        ui::AlertsPage page(selection);
        page.setSnapshot(withAlerts({alert(10, 20)}, model::SessionState::Complete));
        QTreeWidget *table = tableOf(page, u"Alerts"_s);
        Q_EMIT table->itemActivated(table->topLevelItem(0), 0);
        QVERIFY(selection.current().time.has_value());
        QCOMPARE(selection.current().time->begin.ns, 9 * kSecondNs);
        QCOMPARE(selection.current().time->end.ns, 20 * kSecondNs);
    }

    void exportsWhatFired()
    {
        ui::Selection selection;
        ui::AlertsPage page(selection);
        page.setSnapshot(withAlerts({alert(10, 20)}, model::SessionState::Complete));
        const auto exports = page.exports();
        QCOMPARE(exports.size(), std::size_t{1});
        std::ostringstream out;
        exports.front().table(out);
        QVERIFY(QString::fromStdString(out.str()).contains(u"memory grows 10"_s));
    }

    void keepsRulesOnlyOnceTheyAreSaved()
    {
        model::AlertRuleFile file = model::defaultAlertRuleFile();
        QVERIFY(file.rules.size() > 1 && file.rules[0].isEnabled);
        int saved = 0;
        ui::Selection selection;
        ui::AlertsPage page(selection);
        page.setRuleAccess(accessTo(file, saved));
        QTreeWidget *rules = tableOf(page, u"Alert rules"_s);
        QCOMPARE(rules->topLevelItemCount(), static_cast<int>(file.rules.size()));
        QPushButton *save = buttonOf(page, u"Save"_s);
        QVERIFY(!save->isEnabled());
        rules->topLevelItem(0)->setCheckState(0, Qt::Unchecked);
        QVERIFY(save->isEnabled());
        QVERIFY(file.rules[0].isEnabled);
        buttonOf(page, u"Revert"_s)->click();
        QCOMPARE(rules->topLevelItem(0)->checkState(0), Qt::Checked);
        rules->topLevelItem(0)->setCheckState(0, Qt::Unchecked);
        save->click();
        QCOMPARE(saved, 1);
        QVERIFY(!file.rules[0].isEnabled);
        QVERIFY(!save->isEnabled());
    }

    void rulesReadAsSentences()
    {
        model::AlertRuleFile file = model::defaultAlertRuleFile();
        file.rules.push_back(
            {.name = "heap near", .source = "heap_live_bytes", .test = "above_of_limit", .threshold = "70%"});
        int saved = 0;
        ui::Selection selection;
        ui::AlertsPage page(selection);
        page.setRuleAccess(accessTo(file, saved));
        QStringList conditions;
        const QTreeWidget *rules = tableOf(page, u"Alert rules"_s);
        for (int i = 0; i < rules->topLevelItemCount(); ++i)
            conditions << rules->topLevelItem(i)->text(1);
        const QString all = conditions.join(u'|');
        QVERIFY2(conditions.contains(u"Resident memory is above 80 % of its limit"_s), qPrintable(all));
        QVERIFY2(conditions.contains(u"Live heap is above 70 % of its limit"_s), qPrintable(all));
        QVERIFY2(conditions.contains(u"A scan finds newly lost memory"_s), qPrintable(all));
        QVERIFY2(!all.contains(u"a share of"_s), qPrintable(all));
        // As high as its rows: the buttons stand right below them.
        const int rowHeight = rules->visualItemRect(rules->topLevelItem(0)).height();
        QVERIFY(rules->maximumHeight() < (rules->topLevelItemCount() + 3) * rowHeight);
    }

    void whatARuleLacksIsSaidInTheDialogsWords()
    {
        int checks = 0;
        ui::AlertRuleDialog dialog({}, [&checks](const model::AlertRuleText &) {
            ++checks;
            return QString();
        });
        const auto problem = [&dialog] {
            for (const QLabel *label : dialog.findChildren<QLabel *>())
                if (label->property("tone").toString() == u"danger"_s)
                    return label->text();
            return QString();
        };
        const QList<QLineEdit *> fields = dialog.findChildren<QLineEdit *>();
        dialog.accept();
        QVERIFY2(problem().contains(u"name"_s), qPrintable(problem()));
        fields[0]->setText(u"too much"_s);
        dialog.accept();
        QVERIFY2(problem().contains(u"threshold is missing"_s), qPrintable(problem()));
        QCOMPARE(checks, 0);
        fields[1]->setText(u"1GiB"_s);
        dialog.accept();
        QCOMPARE(checks, 1);
        QCOMPARE(dialog.result(), static_cast<int>(QDialog::Accepted));
    }

    void changesNoRuleWhoseFileCannotBeRead()
    {
        ui::Selection selection;
        ui::AlertsPage page(selection);
        model::AlertRuleFile file;
        int saved = 0;
        model::AlertRuleAccess access = accessTo(file, saved);
        access.load = [] { return model::Result<model::AlertRuleFile>(model::Error("alerts.toml:3: no such test")); };
        page.setRuleAccess(access);
        bool isSaid = false;
        for (const QLabel *label : page.findChildren<QLabel *>())
            isSaid = isSaid || label->text().contains(u"alerts.toml:3"_s);
        QVERIFY(isSaid);
        QVERIFY(!buttonOf(page, u"Save"_s)->isEnabled());
    }

    void editsWhatRunsWhenAnAlertIsOver()
    {
        model::AlertRuleFile file;
        file.rules.push_back({.name = "high", .source = "rss_bytes", .test = "above", .threshold = "1GiB"});
        file.resolveCommand = "log over";
        int saved = 0;
        ui::Selection selection;
        ui::AlertsPage page(selection);
        page.setRuleAccess(accessTo(file, saved));
        QLineEdit *over = nullptr;
        for (QLineEdit *field : page.findChildren<QLineEdit *>())
            over = field->text() == u"log over"_s ? field : over;
        QVERIFY(over);
        over->clear();
        QTest::keyClicks(over, u"mail me"_s);
        QTest::mouseClick(buttonOf(page, u"Save"_s), Qt::LeftButton);
        QCOMPARE(saved, 1);
        QCOMPARE(file.resolveCommand, std::string("mail me"));
    }

    void saysForHowLongARuleAboutGrowthIsSilent()
    {
        model::AlertRuleFile file;
        file.rules.push_back(
            {.name = "grows", .source = "rss_bytes", .test = "grows", .threshold = "5%", .within = "1h"});
        int saved = 0;
        ui::Selection selection;
        ui::AlertsPage page(selection);
        page.setRuleAccess(accessTo(file, saved));
        bool isSaid = false;
        for (const QLabel *label : page.findChildren<QLabel *>())
            isSaid = isSaid || label->text().contains(u"silent until"_s);
        QVERIFY(isSaid);
    }
};

QTEST_MAIN(AlertsPageTest)
#include "alerts_page_test.moc"
