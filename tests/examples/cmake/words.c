/* SPDX-License-Identifier: MIT */
/* words COUNT [lose]: keeps COUNT words, and frees them; or loses one of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word
{
    struct word *next;
    char text[24];
};

static struct word *keepWord(struct word *list, int number)
{
    struct word *word = malloc(sizeof *word);
    if (word == NULL)
        exit(2);
    snprintf(word->text, sizeof word->text, "word %d", number);
    word->next = list;
    return word;
}

static struct word *loseFirst(struct word *list) { return list->next; }

static void freeWords(struct word *list)
{
    while (list != NULL) {
        struct word *next = list->next;
        free(list);
        list = next;
    }
}

int main(int argc, char **argv)
{
    const int count = argc > 1 ? atoi(argv[1]) : 0;
    if (count <= 0) {
        fputs("words: how many?\n", stderr);
        return 1;
    }
    struct word *list = NULL;
    for (int i = 0; i < count; ++i)
        list = keepWord(list, i);
    if (argc > 2 && strcmp(argv[2], "lose") == 0)
        list = loseFirst(list);
    freeWords(list);
    return 0;
}
