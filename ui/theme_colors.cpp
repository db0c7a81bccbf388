// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme_colors.h"

#include <QPalette>
#include <QWidget>

#include <algorithm>
#include <cmath>

namespace ui {

struct ColorTables
{
    static Colors makeLight()
    {
        Colors colors;
        colors.m_tokens = {0xfff5f7f9, 0xffffffff, 0xffeef1f5, 0xff16191d, 0xff5a636e, 0xffdfe3e8, 0xff2c54d8,
            0xffffffff, 0xffe6ecfb, 0xff0072b2, 0xffc95800, 0xff008a64, 0xff8a5a00, 0xffb8262b, 0xff16794a};
        colors.m_series = {0xff0072b2, 0xffc95800, 0xff008a64, 0xffa8487f, 0xff2f8fc4, 0xff6b5b95};
        colors.m_tints = {0xffc9d6f7, 0xfff3dfcd, 0xffd3e5da, 0xffe4daf0, 0xfff2e6bd, 0xffcfe6ee};
        colors.m_neutralTint = 0xffe1e5ea;
        return colors;
    }

    static Colors makeDark()
    {
        Colors colors;
        colors.m_tokens = {0xff14171b, 0xff1c2025, 0xff262b32, 0xffe9ebee, 0xff9aa4af, 0xff2e343b, 0xff8aa4ff,
            0xff10131c, 0xff232e50, 0xff56b4e9, 0xffe69035, 0xff2bbf93, 0xffdba543, 0xffff7b72, 0xff3ecf8e};
        colors.m_series = {0xff56b4e9, 0xffe69035, 0xff2bbf93, 0xffd98cb8, 0xff8cc8ee, 0xffa99bd6};
        colors.m_tints = {0xff33426f, 0xff5a4433, 0xff2f4f42, 0xff4a3f60, 0xff544c28, 0xff2c4c58};
        colors.m_neutralTint = 0xff343a42;
        colors.m_isDark = true;
        return colors;
    }
};

const Colors &Colors::light()
{
    static const Colors colors = ColorTables::makeLight();
    return colors;
}

const Colors &Colors::dark()
{
    static const Colors colors = ColorTables::makeDark();
    return colors;
}

const Colors &Colors::of(const QPalette &palette)
{
    return palette.color(QPalette::Active, QPalette::WindowText).lightness() > 128 ? dark() : light();
}

const Colors &Colors::of(const QWidget *widget) { return of(widget->palette()); }

QColor Colors::heat(double shade) const
{
    // Nine support points of viridis (van der Walt, Smith, Firing), evenly spaced.
    static constexpr std::array<QRgb, 9> kViridis{
        0xff440154, 0xff472d7b, 0xff3b528b, 0xff2c728e, 0xff21918c, 0xff28ae80, 0xff5ec962, 0xffaddc30, 0xfffde725};
    if (!(shade > 0))
        return (*this)[Token::Raised];
    const double place = std::min(shade, 1.0) * static_cast<double>(kViridis.size() - 1);
    const auto below = std::min(static_cast<std::size_t>(place), kViridis.size() - 2);
    return mixed(
        QColor::fromRgb(kViridis[below + 1]), QColor::fromRgb(kViridis[below]), place - static_cast<double>(below));
}

QColor Colors::soft(Token token, double strength) const
{
    return mixed((*this)[token], (*this)[Token::Raised], strength);
}

QColor mixed(const QColor &top, const QColor &bottom, double strength)
{
    const auto channel = [strength](int a, int b) {
        return std::clamp(static_cast<int>(std::lround(a * strength + b * (1 - strength))), 0, 255);
    };
    return QColor(
        channel(top.red(), bottom.red()), channel(top.green(), bottom.green()), channel(top.blue(), bottom.blue()));
}

namespace {

double luminance(const QColor &color)
{
    const auto linear
        = [](double value) { return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4); };
    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
}

} // namespace

double contrast(const QColor &a, const QColor &b)
{
    const double first = luminance(a);
    const double second = luminance(b);
    return (std::max(first, second) + 0.05) / (std::min(first, second) + 0.05);
}

} // namespace ui
