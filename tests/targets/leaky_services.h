// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

/// Small services as they are found in real programs, each of which can leak in the way its kind does, or not: the healthy twin. Time is
/// a number of requests, so that a short run and a long one look alike.
namespace services {

/// A request to a service: numbers that follow from a seed.
struct Request
{
    std::uint64_t number = 0; ///< counts from 0
    std::uint64_t dice = 0;   ///< random
    std::uint64_t life = 0;   ///< requests in a thirtieth of the run: how long things live
    /// Whether something of this probability happens, in parts of 10,000; `salt` tells several apart.
    bool happens(std::uint64_t per10000, std::uint64_t salt) const;
};

class Service
{
public:
    virtual ~Service() = default;
    virtual const char *name() const = 0;
    /// The functions whose blocks it leaks when it does.
    virtual std::vector<const char *> leakingFunctions() const = 0;
    virtual void handle(const Request &request) = 0;
    /// Blocks that it has leaked so far, by its own count.
    std::uint64_t leaked = 0;
};

/// All of them; each leaks about `per10000` of 10,000 objects, 0: none.
std::vector<std::unique_ptr<Service>> makeServices(std::uint64_t per10000);

std::vector<std::unique_ptr<Service>> makeCaches(std::uint64_t per10000);
std::vector<std::unique_ptr<Service>> makeServers(std::uint64_t per10000);
std::vector<std::unique_ptr<Service>> makeTools(std::uint64_t per10000);

} // namespace services
