// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/done_advice.h"
#include "storage/seal/seal_key.h"
#include "ui/background_job.h"

#include <QObject>

namespace ui {
class AdvicePage;
}

namespace app {

/// Keeps which advice was followed in the session itself, and hands it to the page. Lives in the GUI thread; files are read and changed in
/// the job pool.
class AdviceController : public QObject
{
    Q_OBJECT

public:
    /// `page` must outlive it.
    explicit AdviceController(ui::AdvicePage &page, QObject *parent = nullptr);

    /// The open session; reads what it says when it is another one. `key`: of a sealed one.
    void follow(const model::Snapshot &snapshot, const storage::SealKeyPointer &key);

private:
    void keep(const std::vector<model::DoneAdvice> &done);

    ui::AdvicePage &m_page;
    std::string m_path;
    storage::SealKeyPointer m_key;
    ui::BackgroundJob m_loading;
    ui::BackgroundJob m_keeping; ///< a newer state replaces the one on its way
};

} // namespace app
