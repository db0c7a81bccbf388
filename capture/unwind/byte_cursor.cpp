// SPDX-License-Identifier: MIT
#include "capture/unwind/byte_cursor.h"

namespace capture::unwind {

std::uint64_t ByteCursor::pointer(std::uint8_t encoding, std::uint64_t dataBase)
{
    const std::uint64_t here = address();
    std::uint64_t value = 0;
    switch (encoding & 0x0f) {
    case 0x00: // absptr
    case 0x04: // udata8
    case 0x0c: // sdata8
        value = number<std::uint64_t>();
        break;
    case 0x01:
        value = uleb();
        break;
    case 0x02:
        value = number<std::uint16_t>();
        break;
    case 0x03:
        value = number<std::uint32_t>();
        break;
    case 0x09:
        value = static_cast<std::uint64_t>(sleb());
        break;
    case 0x0a:
        value = static_cast<std::uint64_t>(std::int64_t{number<std::int16_t>()});
        break;
    case 0x0b:
        value = static_cast<std::uint64_t>(std::int64_t{number<std::int32_t>()});
        break;
    default:
        fail();
    }
    switch (encoding & 0xf0) {
    case 0x00:
        return value;
    case 0x10:
        return value + here;
    case 0x30:
        return value + dataBase;
    default:
        fail();
        return 0;
    }
}

} // namespace capture::unwind
