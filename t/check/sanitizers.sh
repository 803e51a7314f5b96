# shellcheck shell=bash disable=SC2154
# How the sanitizers are to behave, for all tests; read by bash, wants $src.
# A report ends the program with a status of its own, so that no test can
# take it for an answer.
export ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1:\
check_initialization_order=1:exitcode=99"
export UBSAN_OPTIONS="print_stacktrace=1:exitcode=99"
export TSAN_OPTIONS="suppressions=$src/t/check/tsan.supp:exitcode=66:\
history_size=4"
export LSAN_OPTIONS="suppressions=$src/t/check/lsan.supp:print_suppressions=0"
