/*
 * rules_read - a file becomes rules; for the files that read it
 */
#ifndef PREDELIVERY_RULES_READ_H
#define PREDELIVERY_RULES_READ_H

#include "conf/tree.h"
#include "rules.h"

struct rules_read {
	struct arena *a;		/* of the file; goes when it is read */
	struct tree *tree;
	struct rules *rules;
	struct map *leaves;		/* by what they ask */
	struct map *names;		/* of rules */
	unsigned conditions;		/* of the rule being read */
	unsigned cap;			/* room for leaves */
	struct slice why;
};

/* Conditions of a group, all of which have to hold; depth: levels above. */
enum rc rules_read_when(struct rules_read *r, const config_setting_t *group,
    unsigned depth, struct node **node_r);
enum rc rules_want_group(struct rules_read *r, const config_setting_t *s);
/* One condition of any kind. */
enum rc rules_read_leaf(struct rules_read *r, const config_setting_t *s,
    struct leaf *l);
enum rc rules_read_then(struct rules_read *r, const config_setting_t *group,
    struct actions *then);
/* A text, or a list of texts, each as it stands. */
enum rc rules_read_texts(struct rules_read *r, const config_setting_t *s,
    struct conf_list *list_r);
enum rc rules_read_text(struct rules_read *r, const config_setting_t *s,
    struct slice *text_r);
/* Rules that cannot be meant so. */
enum rc rules_check(struct rules_read *r);

#endif
