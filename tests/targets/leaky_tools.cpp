// SPDX-License-Identifier: GPL-3.0-or-later
// Services that work in batches, on documents and on lines.
#include "tests/targets/leaky_services.h"

#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

namespace services {

namespace {

/// Documents whose parts point at each other; when it leaks, some point with owning pointers both ways.
class Documents : public Service
{
public:
    explicit Documents(std::uint64_t per10000)
        : m_per10000(per10000)
    {
    }
    const char *name() const override { return "pointer cycle"; }
    std::vector<const char *> leakingFunctions() const override { return {"Documents::load", "Documents::addChapter"}; }
    void handle(const Request &request) override
    {
        m_open.push_back(load(request));
        if (m_open.size() > request.life / 8 + 1)
            m_open.pop_front();
    }

private:
    struct Part
    {
        std::shared_ptr<Part> child;
        std::shared_ptr<Part> owner; ///< should have been weak
        char text[90];
    };
    [[gnu::noinline]] static void addChapter(const std::shared_ptr<Part> &document, bool isCycle)
    {
        document->child = std::make_shared<Part>();
        if (isCycle)
            document->child->owner = document;
    }
    [[gnu::noinline]] std::shared_ptr<Part> load(const Request &request)
    {
        auto document = std::make_shared<Part>();
        const bool isCycle = request.happens(m_per10000, 21);
        leaked += isCycle ? 1 : 0;
        addChapter(document, isCycle);
        return document;
    }

    std::uint64_t m_per10000;
    std::deque<std::shared_ptr<Part>> m_open;
};

/// Rows that are gathered and written together; when it leaks, rejected rows are kept "for later".
class BatchLoader : public Service
{
public:
    explicit BatchLoader(std::uint64_t per10000)
        : m_per10000(per10000)
    {
    }
    const char *name() const override { return "batches"; }
    std::vector<const char *> leakingFunctions() const override { return {"BatchLoader::parseRow"}; }
    void handle(const Request &request) override
    {
        auto row = parseRow(request);
        if (request.happens(m_per10000, 22)) {
            m_rejected.push_back(std::move(row));
            ++leaked;
        } else {
            m_rows.push_back(std::move(row));
        }
        if (m_rows.size() > request.life / 2 + 1)
            m_rows.clear();
    }

private:
    [[gnu::noinline]] static std::unique_ptr<std::string> parseRow(const Request &request)
    {
        return std::make_unique<std::string>(60 + request.dice % 90, 'r');
    }

    std::uint64_t m_per10000;
    std::vector<std::unique_ptr<std::string>> m_rows;
    std::deque<std::unique_ptr<std::string>> m_rejected;
};

/// A log of the last messages; when it leaks, messages of one level go to a list that nobody reads.
class LogRing : public Service
{
public:
    explicit LogRing(std::uint64_t per10000)
        : m_per10000(per10000)
        , m_ring(300)
    {
    }
    const char *name() const override { return "log ring"; }
    std::vector<const char *> leakingFunctions() const override { return {"LogRing::format"}; }
    void handle(const Request &request) override
    {
        char *message = format(request);
        if (request.happens(m_per10000, 23)) {
            m_unread.push_back(message);
            ++leaked;
            return;
        }
        char *&slot = m_ring[request.number % m_ring.size()];
        std::free(slot);
        slot = message;
    }

private:
    [[gnu::noinline]] static char *format(const Request &request)
    {
        return ::strdup(("request " + std::to_string(request.number) + " was answered in due time").c_str());
    }

    std::uint64_t m_per10000;
    std::vector<char *> m_ring;
    std::deque<char *> m_unread;
};

/// Lines that grow by realloc while they are read; when it leaks, comments are not freed.
class LineReader : public Service
{
public:
    explicit LineReader(std::uint64_t per10000)
        : m_per10000(per10000)
    {
    }
    const char *name() const override { return "growing lines"; }
    std::vector<const char *> leakingFunctions() const override { return {"LineReader::append"}; }
    void handle(const Request &request) override
    {
        char *line = nullptr;
        for (std::size_t size = 32; size <= 32u << (request.dice % 4); size *= 2)
            line = append(line, size);
        if (request.happens(m_per10000, 24)) {
            ++leaked;
            return;
        }
        std::free(line);
    }

private:
    [[gnu::noinline]] static char *append(char *line, std::size_t size)
    {
        auto *grown = static_cast<char *>(std::realloc(line, size));
        if (grown == nullptr)
            std::abort();
        grown[size - 1] = 'l';
        return grown;
    }

    std::uint64_t m_per10000;
};

} // namespace

std::vector<std::unique_ptr<Service>> makeTools(std::uint64_t per10000)
{
    std::vector<std::unique_ptr<Service>> all;
    all.push_back(std::make_unique<Documents>(per10000));
    all.push_back(std::make_unique<BatchLoader>(per10000));
    all.push_back(std::make_unique<LogRing>(per10000));
    all.push_back(std::make_unique<LineReader>(per10000));
    return all;
}

} // namespace services
