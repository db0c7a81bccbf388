// SPDX-License-Identifier: MIT
#include <QTest>

#include <genesis_expect.h>
#include <tasks.h>

class TasksTest : public QObject
{
    Q_OBJECT

private slots:
    void areTidy()
    {
        GENPROF_EXPECT_NO_LEAK { tidyTask(); }
        GENPROF_EXPECT_MAX_ALLOCATIONS(1) { tidyTask(); }
    }
    void forgetABlockAndFails()
    {
        GENPROF_EXPECT_NO_LEAK { untidyTask(); }
    }
};

QTEST_APPLESS_MAIN(TasksTest)
#include "qttest.moc"
