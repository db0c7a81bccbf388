// SPDX-License-Identifier: GPL-3.0-or-later
// A small order service to look at: it has a slow leak, a hot function, a stack of temporaries, a healthy
// cache, and threads. Usage: genesis-demo [SECONDS]. At its end it prints what a recording of it should show.
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Order
{
    std::uint64_t id = 0;
    std::string customer;
    std::vector<double> prices;
};

/// What the service keeps of each refused order, and forgets to send and delete: the leak.
struct AuditRecord
{
    std::uint64_t orderId = 0;
    std::string reason;
    AuditRecord *previous = nullptr;
};

/// The newest audit record; the others hang on it.
std::atomic<AuditRecord *> newestAudit{nullptr};
std::atomic<std::uint64_t> auditCount{0};

/// A bounded cache of customers: it grows at first, then replaces its oldest entry. Healthy.
class CustomerCache
{
public:
    std::size_t pointsOf(const std::string &customer)
    {
        const std::lock_guard lock(m_mutex);
        if (const auto found = m_entries.find(customer); found != m_entries.end())
            return found->second->history.size();
        if (m_order.size() == kMost) {
            m_entries.erase(m_order.back().name);
            m_order.pop_back();
        }
        m_order.push_front({customer, std::vector<char>(512, 'x')});
        m_entries.emplace(customer, m_order.begin());
        return 0;
    }

private:
    static constexpr std::size_t kMost = 20'000;
    struct Entry
    {
        std::string name;
        std::vector<char> history;
    };
    std::mutex m_mutex; ///< Guards both.
    std::list<Entry> m_order;
    std::unordered_map<std::string, std::list<Entry>::iterator> m_entries;
};

/// Orders that wait for a worker. Bounded, so that a slow machine takes fewer orders instead of more memory.
class OrderQueue
{
public:
    void push(Order order)
    {
        std::unique_lock lock(m_mutex);
        m_roomMade.wait(lock, [this] { return m_orders.size() < kMost; });
        m_orders.push_back(std::move(order));
        m_orderAdded.notify_one();
    }

    void close()
    {
        const std::lock_guard lock(m_mutex);
        m_isClosed = true;
        m_orderAdded.notify_all();
    }

    /// The next order, or nothing once the queue is closed and empty.
    std::optional<Order> pop()
    {
        std::unique_lock lock(m_mutex);
        m_orderAdded.wait(lock, [this] { return m_isClosed || !m_orders.empty(); });
        if (m_orders.empty())
            return std::nullopt;
        Order order = std::move(m_orders.front());
        m_orders.pop_front();
        m_roomMade.notify_one();
        return order;
    }

private:
    static constexpr std::size_t kMost = 256;
    std::mutex m_mutex; ///< Guards all below.
    std::condition_variable m_orderAdded;
    std::condition_variable m_roomMade;
    std::deque<Order> m_orders;
    bool m_isClosed = false;
};

/// Most of the time goes here: a discount schedule tried again and again.
[[gnu::noinline]] double priceOrder(const Order &order)
{
    double total = 0;
    for (int round = 0; round < 2000; ++round)
        for (const double price : order.prices)
            total += price / (1.0 + total * 1e-9 + static_cast<double>(round % 7));
    return total;
}

/// Builds a line from many short-lived strings.
[[gnu::noinline]] std::size_t describeOrder(const Order &order)
{
    std::size_t length = 0;
    for (const double price : order.prices)
        length += ("position of order " + std::to_string(order.id) + " at " + std::to_string(price)).size();
    return length;
}

[[gnu::noinline]] void auditRefusal(const Order &order)
{
    auto record = std::make_unique<AuditRecord>();
    record->orderId = order.id;
    record->reason.assign(200, 'r');
    record->previous = newestAudit.load();
    while (!newestAudit.compare_exchange_weak(record->previous, record.get())) { }
    record.release(); // NOLINT(bugprone-unused-return-value): the leak that this program is there to show
    auditCount.fetch_add(1);
}

struct Totals
{
    std::atomic<std::uint64_t> orders{0};
    std::atomic<std::uint64_t> letters{0};
    std::atomic<std::uint64_t> cents{0};
};

void handleOrder(const Order &order, CustomerCache &cache, Totals &totals)
{
    const double total = priceOrder(order);
    totals.letters += describeOrder(order) + cache.pointsOf(order.customer);
    totals.cents += static_cast<std::uint64_t>(total);
    totals.orders += 1;
    if (order.id % 10 == 0)
        auditRefusal(order);
}

Order makeOrder(std::uint64_t id, std::mt19937 &random)
{
    Order order{id, "customer number " + std::to_string(random() % 100'000), {}};
    order.prices.resize(4 + random() % 24);
    for (double &price : order.prices)
        price = 1.0 + static_cast<double>(random() % 10'000) / 100.0;
    return order;
}

/// 2,000 orders a second in bursts that follow the clock.
void takeOrders(OrderQueue &queue, std::chrono::seconds duration)
{
    std::mt19937 random(4711);
    const Clock::time_point begin = Clock::now();
    std::uint64_t id = 0;
    for (Clock::time_point next = begin; next < begin + duration; next += std::chrono::milliseconds(10)) {
        std::this_thread::sleep_until(next);
        for (int i = 0; i < 20; ++i)
            queue.push(makeOrder(++id, random));
    }
    queue.close();
}

} // namespace

int main(int argc, char **argv)
{
    const long seconds = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 20;
    if (seconds < 1) {
        std::fprintf(stderr, "usage: %s [SECONDS], at least 1\n", argv[0]);
        return 2;
    }
    OrderQueue queue;
    CustomerCache cache;
    Totals totals;
    std::vector<std::thread> workers;
    for (int i = 0; i < 3; ++i) {
        workers.emplace_back([&] {
            while (const std::optional<Order> order = queue.pop())
                handleOrder(*order, cache, totals);
        });
        pthread_setname_np(workers.back().native_handle(), ("worker-" + std::to_string(i)).c_str());
    }
    takeOrders(queue, std::chrono::seconds(seconds));
    for (std::thread &worker : workers)
        worker.join();
    std::printf("handled %llu orders; leaked %llu audit records, %zu bytes each, in auditRefusal; hot in priceOrder; "
                "temporaries in describeOrder\n",
        static_cast<unsigned long long>(totals.orders), static_cast<unsigned long long>(auditCount),
        sizeof(AuditRecord) + 201);
    return 0;
}
