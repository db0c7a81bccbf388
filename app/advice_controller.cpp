// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/advice_controller.h"

#include "model/report/done_advice_text.h"
#include "storage/session_folder.h"
#include "ui/pages/advice_page.h"

namespace app {

AdviceController::AdviceController(ui::AdvicePage &page, QObject *parent)
    : QObject(parent)
    , m_page(page)
{
    connect(&page, &ui::AdvicePage::doneChanged, this, &AdviceController::keep);
}

void AdviceController::follow(const model::Snapshot &snapshot, const storage::SealKeyPointer &key)
{
    if (snapshot.file == m_path && key == m_key)
        return;
    m_path = snapshot.file;
    m_key = key;
    m_loading.run([path = m_path, key](std::stop_token) { return storage::doneAdviceIn(path, key); },
        [this](const model::Result<std::string> &kept) {
            // What cannot be read is said where the session is opened.
            m_page.setDone(kept ? model::doneAdviceOf(*kept) : std::vector<model::DoneAdvice>());
        });
}

void AdviceController::keep(const std::vector<model::DoneAdvice> &done)
{
    m_keeping.run(
        [path = m_path, key = m_key, text = model::doneAdviceText(done)](std::stop_token) {
            storage::EntryChange change;
            change.doneAdvice = text;
            return storage::changeEntry(path, change, key);
        },
        [this](const model::Result<void> &kept) {
            m_page.setKeepProblem(kept ? QString() : QString::fromStdString(kept.error().text()));
        });
}

} // namespace app
