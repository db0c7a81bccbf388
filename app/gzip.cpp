// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace app {

std::string gzipped(std::string_view bytes)
{
    constexpr int kWindowBits = 15, kGzip = 16, kMemoryLevel = 8;
    z_stream stream{};
    if (::deflateInit2(
            &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kWindowBits + kGzip, kMemoryLevel, Z_DEFAULT_STRATEGY)
        != Z_OK)
        throw std::bad_alloc(); // nothing else can be wrong
    std::string result;
    char room[1 << 16];
    int state = Z_OK;
    while (state != Z_STREAM_END) {
        if (stream.avail_in == 0) { // it counts in 32 bits
            const std::size_t part = std::min<std::size_t>(bytes.size(), std::numeric_limits<uInt>::max());
            stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(bytes.data()));
            stream.avail_in = static_cast<uInt>(part);
            bytes.remove_prefix(part);
        }
        stream.next_out = reinterpret_cast<Bytef *>(room);
        stream.avail_out = sizeof room;
        state = ::deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
        result.append(room, sizeof room - stream.avail_out);
    }
    ::deflateEnd(&stream);
    return result;
}

} // namespace app
