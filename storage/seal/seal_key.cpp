// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/seal/seal_key.h"

#include "storage/writer_lock.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

namespace storage {

namespace {

using model::Error;
using model::Result;

constexpr std::size_t kKeyBytes = 32;

unsigned char *bytesOf(SecretText &text) { return reinterpret_cast<unsigned char *>(text.data()); }
const unsigned char *bytesOf(const SecretText &text)
{
    return reinterpret_cast<const unsigned char *>(text.view().data());
}

Result<SealKeyPointer> derive(const SecretText &passphrase, const SealHeader &header)
{
    SecretText master(kKeyBytes);
    const SealCost cost = header.cost();
    if (crypto_pwhash(bytesOf(master), kKeyBytes, passphrase.view().data(), passphrase.size(), header.salt(),
            cost.operations, static_cast<std::size_t>(cost.memoryBytes), crypto_pwhash_ALG_ARGON2ID13)
        != 0)
        return Error("Cannot make a key of the passphrase: " + std::to_string(cost.memoryBytes >> 20)
            + " MiB of memory are needed for it, and there is less");
    master.setSize(kKeyBytes);
    return std::make_shared<const SealKey>(std::move(master), header);
}

std::array<unsigned char, SealHeader::kCheckBytes> checkOf(const SealKey &key, const SealHeader &header)
{
    const SecretText secret = key.derived(header, SealKey::Use::Check);
    std::array<unsigned char, SealHeader::kCheckBytes> check{};
    crypto_generichash(
        check.data(), check.size(), header.begin(), SealHeader::kCheckedBytes, bytesOf(secret), secret.size());
    return check;
}

} // namespace

Result<SealKeyPointer> SealKey::make(const SecretText &passphrase, SealCost cost)
{
    if (passphrase.size() == 0)
        return Error("An empty passphrase seals nothing; choose one");
    SealHeader header;
    header.setCost(cost);
    return derive(passphrase, header);
}

Result<SealKeyPointer> SealKey::unlock(const std::string &path, const SecretText &passphrase)
{
    const auto header = SealHeader::read(path);
    if (!header)
        return header.error();
    auto key = derive(passphrase, *header);
    if (key && !(*key)->opens(*header))
        return Error("Cannot open " + path + ": wrong passphrase");
    return key;
}

SealHeader SealKey::newHeader() const
{
    SealHeader header;
    header.takeSaltAndCost(m_prototype);
    header.setCheck(checkOf(*this, header));
    return header;
}

bool SealKey::opens(const SealHeader &header) const
{
    return sodium_memcmp(checkOf(*this, header).data(), header.check(), SealHeader::kCheckBytes) == 0;
}

SecretText SealKey::derived(const SealHeader &header, Use use) const
{
    SecretText key(kKeyBytes);
    const auto purpose = static_cast<unsigned char>(use);
    crypto_generichash_state state;
    crypto_generichash_init(&state, bytesOf(m_master), kKeyBytes, kKeyBytes);
    crypto_generichash_update(&state, header.id(), SealHeader::kIdBytes);
    crypto_generichash_update(&state, &purpose, 1);
    crypto_generichash_final(&state, bytesOf(key), kKeyBytes);
    sodium_memzero(&state, sizeof state);
    key.setSize(kKeyBytes);
    return key;
}

bool isSealed(const std::string &path)
{
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    unsigned char bytes[16] = {};
    const ssize_t count = file.isOpen() ? ::pread(file.get(), bytes, sizeof bytes, 0) : 0;
    return count > 0 && SealHeader::isSeal(bytes, static_cast<std::size_t>(count));
}

} // namespace storage
