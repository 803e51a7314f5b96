#include "journal/event.h"

json_t *
event_read(struct slice line)
{
	json_t *event = json_loadb(line.ptr, line.len, JSON_ALLOW_NUL, NULL);

	if (json_is_object(event))
		return event;
	json_decref(event);
	return NULL;
}

static struct slice
text_of(const json_t *value)
{
	return json_is_string(value) ? slice_make(json_string_value(value),
	    json_string_length(value)) : SLICE("");
}

struct slice
event_text(const json_t *event, const char *key)
{
	return text_of(json_object_get(event, key));
}

int64_t
event_int(const json_t *event, const char *key, int64_t none)
{
	const json_t *value = json_object_get(event, key);

	return json_is_integer(value) ? json_integer_value(value) : none;
}

struct slice
event_item(const json_t *event, const char *key, size_t i)
{
	const json_t *list = json_object_get(event, key);

	return i < json_array_size(list) ? text_of(json_array_get(list, i)) :
	    SLICE_NONE;
}

struct slice
event_message_id(const json_t *event)
{
	struct slice id = event_text(event, "email.message_id");

	if (id.len >= 2 && id.ptr[0] == '<' && id.ptr[id.len - 1] == '>')
		id = slice_sub(id, 1, id.len - 2);
	return id;
}

bool
event_named(const json_t *event, struct slice name)
{
	const json_t *objects = json_object_get(event, "gatehouse.objects");

	if (!slice_eq(event_text(event, "event.action"), SLICE("message")) &&
	    slice_eq(event_text(event, "source.ip"), name))
		return true;
	for (size_t i = 0; i < json_array_size(objects); i++)
		if (slice_eq(event_text(json_array_get(objects, i), "id"),
		    name))
			return true;
	return slice_eq(event_text(event, "gatehouse.queue_id"), name) ||
	    slice_eq(event_text(event, "gatehouse.id"), name) ||
	    slice_eq(event_text(event, "gatehouse.object"), name) ||
	    slice_eq(event_message_id(event), name);
}
