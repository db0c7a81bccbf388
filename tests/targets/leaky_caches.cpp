// SPDX-License-Identifier: GPL-3.0-or-later
// Services that keep things by key: caches, pools, indices.
#include "tests/targets/leaky_services.h"

#include <deque>
#include <list>
#include <map>
#include <string>
#include <unordered_map>

namespace services {

namespace {

/// An answer cache with a least-recently-used limit; when it leaks, some kinds of entry are left out of the eviction list.
class AnswerCache : public Service
{
public:
    explicit AnswerCache(std::uint64_t per10000)
        : m_per10000(per10000)
    {
    }
    const char *name() const override { return "answer cache"; }
    std::vector<const char *> leakingFunctions() const override { return {"AnswerCache::insert"}; }
    void handle(const Request &request) override
    {
        const std::string key = "answer-of-" + std::to_string(request.dice % 100'000);
        if (m_entries.find(key) == m_entries.end())
            insert(key, request);
        while (m_order.size() > 200) {
            m_entries.erase(m_order.front());
            m_order.pop_front();
        }
    }

private:
    [[gnu::noinline]] void insert(const std::string &key, const Request &request)
    {
        if (request.happens(m_per10000, 1)) {
            m_entries.emplace(key + "?variant=" + std::to_string(request.number), std::string(300, 'v'));
            ++leaked;
            return;
        }
        m_entries.emplace(key, std::string(300, 'a'));
        m_order.push_back(key);
    }

    std::uint64_t m_per10000;
    std::unordered_map<std::string, std::string> m_entries;
    std::list<std::string> m_order;
};

/// Interned names; when it leaks, names with a number in them are interned as well.
class StringPool : public Service
{
public:
    explicit StringPool(std::uint64_t per10000)
        : m_per10000(per10000)
    {
    }
    const char *name() const override { return "string pool"; }
    std::vector<const char *> leakingFunctions() const override { return {"StringPool::intern"}; }
    void handle(const Request &request) override
    {
        std::string name = "a-column-with-a-long-name-" + std::to_string(request.dice % 150);
        if (request.happens(m_per10000, 2)) {
            name += "-row-" + std::to_string(request.number);
            ++leaked;
        }
        intern(name);
    }

private:
    [[gnu::noinline]] const std::string &intern(const std::string &name)
    {
        auto &slot = m_pool[name];
        if (!slot)
            slot = std::make_unique<std::string>(name);
        return *slot;
    }

    std::uint64_t m_per10000;
    std::map<std::string, std::unique_ptr<std::string>> m_pool;
};

/// Listeners to a subject; when it leaks, some are not taken off the list when their owner goes.
class Subscriptions : public Service
{
public:
    explicit Subscriptions(std::uint64_t per10000)
        : m_per10000(per10000)
    {
    }
    const char *name() const override { return "listener list"; }
    std::vector<const char *> leakingFunctions() const override { return {"Subscriptions::subscribe"}; }
    void handle(const Request &request) override
    {
        m_owners.push_back({request.number + request.life / 2 + 1, subscribe(request), request.happens(m_per10000, 3)});
        while (!m_owners.empty() && m_owners.front().until <= request.number) {
            if (m_owners.front().forgets)
                ++leaked;
            else
                m_listeners.erase(m_owners.front().listener);
            m_owners.pop_front();
        }
    }

private:
    struct Listener
    {
        std::uint64_t id;
        char state[72];
    };
    using Place = std::list<std::unique_ptr<Listener>>::iterator;
    struct Owner
    {
        std::uint64_t until;
        Place listener;
        bool forgets;
    };

    [[gnu::noinline]] Place subscribe(const Request &request)
    {
        auto listener = std::make_unique<Listener>();
        listener->id = request.number;
        return m_listeners.insert(m_listeners.end(), std::move(listener));
    }

    std::uint64_t m_per10000;
    std::list<std::unique_ptr<Listener>> m_listeners;
    std::deque<Owner> m_owners;
};

/// Undo steps of an editor, at most 100; when it leaks, some are pinned for ever.
class UndoHistory : public Service
{
public:
    explicit UndoHistory(std::uint64_t per10000)
        : m_per10000(per10000)
    {
    }
    const char *name() const override { return "undo history"; }
    std::vector<const char *> leakingFunctions() const override { return {"UndoHistory::takeStep"}; }
    void handle(const Request &request) override
    {
        auto step = takeStep(request);
        if (request.happens(m_per10000, 4)) {
            m_pinned.push_front(std::move(step));
            ++leaked;
        } else {
            m_steps.push_back(std::move(step));
        }
        if (m_steps.size() > 100)
            m_steps.pop_front();
    }

private:
    [[gnu::noinline]] static std::shared_ptr<std::string> takeStep(const Request &request)
    {
        return std::make_shared<std::string>(100 + request.dice % 200, 'u');
    }

    std::uint64_t m_per10000;
    std::deque<std::shared_ptr<std::string>> m_steps;
    std::list<std::shared_ptr<std::string>> m_pinned;
};

/// Objects by handle; when it leaks, some are unregistered under the wrong handle.
class HandleTable : public Service
{
public:
    explicit HandleTable(std::uint64_t per10000)
        : m_per10000(per10000)
    {
    }
    const char *name() const override { return "handle table"; }
    std::vector<const char *> leakingFunctions() const override { return {"HandleTable::open"}; }
    void handle(const Request &request) override
    {
        open(request);
        const std::uint64_t old = request.number - request.life / 3;
        if (request.number < request.life / 3)
            return;
        const Request opened{old, 0, 0};
        const bool isWrong = opened.happens(m_per10000, 5);
        leaked += isWrong ? 1 : 0;
        m_objects.erase(isWrong ? ~old : old);
    }

private:
    [[gnu::noinline]] void open(const Request &request)
    {
        m_objects[request.number] = std::make_unique<std::vector<char>>(160);
    }

    std::uint64_t m_per10000;
    std::map<std::uint64_t, std::unique_ptr<std::vector<char>>> m_objects;
};

} // namespace

std::vector<std::unique_ptr<Service>> makeCaches(std::uint64_t per10000)
{
    std::vector<std::unique_ptr<Service>> all;
    all.push_back(std::make_unique<AnswerCache>(per10000));
    all.push_back(std::make_unique<StringPool>(per10000));
    all.push_back(std::make_unique<Subscriptions>(per10000));
    all.push_back(std::make_unique<UndoHistory>(per10000));
    all.push_back(std::make_unique<HandleTable>(per10000));
    return all;
}

} // namespace services
