-- Reported settings are sent as ParameterStatus when they change
set application_name = 'me';
set datestyle = 'German';
set timezone = 'Asia/Tokyo';
set intervalstyle = 'iso_8601';
set client_encoding = 'UTF8';
set standard_conforming_strings = off;
begin;
set timezone = 'UTC';
rollback;
set search_path = 'public';
reset all;
